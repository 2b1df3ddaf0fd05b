"""The Python API: a run, and the processing of one image, with the options of the command as keywords."""
