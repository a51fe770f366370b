from hypothesis import settings

# How long an example takes says nothing here: the first one compiles what the others use.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
