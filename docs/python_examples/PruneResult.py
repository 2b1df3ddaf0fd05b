import pixmill

if __name__ == "__main__":
    pixmill.run("photos", "web", size="400x")
    result: pixmill.PruneResult = pixmill.prune("web")
    print(result.files, result.removed, result.is_removed)
