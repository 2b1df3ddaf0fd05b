from pathlib import Path

import pixmill

if __name__ == "__main__":
    pixmill.run("photos", "web", size="800x600")
    Path("photos/b.jpg").unlink()
    pixmill.run("photos", "web", size="800x600")
    found = pixmill.prune("web")  # lists
    print(found.files, "can be removed")
    print(pixmill.prune("web", yes=True).is_removed)
