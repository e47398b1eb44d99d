"""What travels: the Structs of all events, how they are decoded and identified, and what models give back."""
