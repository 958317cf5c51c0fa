"""What the program costs over a bare one, and how a preview grows with the number of models."""
