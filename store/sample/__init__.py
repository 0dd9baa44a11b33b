"""The sample company: generated files that go through ``finops ingest`` like anyone's."""
