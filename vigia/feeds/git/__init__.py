"""Reading git repositories: a safe way to run git, changes, and the features of Kamei et al. computed from them."""
