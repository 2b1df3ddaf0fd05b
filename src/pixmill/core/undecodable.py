"""What decoding raises of bytes that are not what was asked for: msgspec's own errors, and Python's for text that is no UTF-8."""

import msgspec

UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError)
