"""Score how good a compressed picture looks beside its original: SSIMULACRA 2, version 2.1.

Source: J. Sneyers, https://github.com/cloudinary/ssimulacra2. 100 is identical, 90 cannot be told from the original in a flicker
test, 80 not side by side, 70 only with care, 50 is of medium quality; a score can be negative.
"""
