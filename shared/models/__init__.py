"""The room of the language models: the registry of models, two wire formats, and the chain that asks them in order."""
