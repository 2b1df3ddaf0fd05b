import pixmill

if __name__ == "__main__":
    report: pixmill.Report = pixmill.run("photos", "web", size="400x")
    print(report.is_complete, report.exit_code, report.bytes_saved)
    for code, number in report.failures.items():
        print(code, number)
