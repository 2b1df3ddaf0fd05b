from typing import Unpack

import pixmill


def publish(**options: Unpack[pixmill.RunOptions]) -> pixmill.Report:
    return pixmill.run("photos", "web", **options)


if __name__ == "__main__":
    print(publish(size="400x", format="webp", workers=1).counts.done)
