import pixmill

if __name__ == "__main__":
    try:
        pixmill.run("photos", "web", size="400x", max_failures=20)
    except pixmill.RunError as error:  # such as disk-full, locked, too-many-failures
        print(error.code, error.hint)
    else:
        print("finished")
