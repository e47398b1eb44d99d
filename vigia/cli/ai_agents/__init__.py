"""`vigia ai-agents`: how often AI agents are right, whether they know it, and how long they take."""
