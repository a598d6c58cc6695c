"""The bundled small NLI model and its card."""
