"""Fine-tuning of entailment models on NLI rows and on (text, label) pairs."""
