"""The walls between companies, tried one by one (T1-T13), and each again with its defence off."""
