import pixmill

try:
    pixmill.run("photos", "out", format="wepb")
except pixmill.ConfigError as error:
    print(error.message)
