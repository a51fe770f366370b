"""The live worker: Faust agents around one recorder."""
