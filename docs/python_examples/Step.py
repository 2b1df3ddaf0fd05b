import numpy as np

import pixmill


class Negative(pixmill.Step):
    def open(self) -> None:  # once in each worker
        self.table = np.arange(255, -1, -1, dtype=np.uint8)

    def __call__(self, image: pixmill.Image) -> pixmill.Image:
        return pixmill.Image.from_numpy(self.table[image.to_numpy()])


if __name__ == "__main__":
    report = pixmill.run("photos", "web", pixmill.Recipe(steps=["resize:width=400", Negative()]))
    print(report.counts.done, "done")
