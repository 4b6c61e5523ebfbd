"""Home, navigation, settings: the shell over the topics."""
