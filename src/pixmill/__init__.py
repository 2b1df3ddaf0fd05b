"""pixmill turns folders and buckets of images into resized, converted, optimised images, without losing one."""

__version__ = "0.1.0"
