"""Whether a display name is a person's name: lists of names, and one question about them.

The lists (``given.txt``, ``family.txt``) are data made by ``training/person_names.py`` out of
Faker's person providers (MIT licence). What is done with a name lives in ``phrasebook``.
"""
