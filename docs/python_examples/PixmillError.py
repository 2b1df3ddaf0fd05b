import pixmill

try:
    pixmill.process(b"no image")
except pixmill.PixmillError as error:
    print(error.code, error.message, error.hint, error.retryable)
