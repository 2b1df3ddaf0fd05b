import pixmill

if __name__ == "__main__":
    report = pixmill.run("photos", "web", size="800x600", format="webp", workers=2)
    print(report.counts.done, "done,", report.counts.failed, "failed")
