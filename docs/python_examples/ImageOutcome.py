import pixmill

if __name__ == "__main__":
    with pixmill.open_run("photos", "web", size="400x") as run:
        outcome: pixmill.ImageOutcome
        for outcome in run.results():
            print(outcome.source, outcome.state, outcome.code or "-", [file.path for file in outcome.outputs])
