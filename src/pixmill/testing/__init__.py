"""What an extension author uses: conformance suites, faults, synthetic images."""
