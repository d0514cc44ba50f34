"""Where the parts of a run's record lie in the run's folder, and what each is."""

METADATA = "ro-crate-metadata.json"
CODE = "provenance/workflow"
FACTS = "provenance/record.json"
OUTPUTS = "provenance/outputs.sha256"
INPUTS = "provenance/inputs.sha256"
# Of the record's own files, and so the one that is written last.
OWN = "provenance/record.sha256"
COMMANDS = "provenance/commands.tsv"
WORDS = "provenance/methods.md"
PAGE = "provenance/record.html"
SOURCES = "provenance/references.bib"
MEANINGS = {
    FACTS: "What is known of the run: configuration, seeds, versions, segments, machine",
    OUTPUTS: "SHA-256 of every file that the run made",
    INPUTS: "SHA-256 of every file that the run read",
    COMMANDS: "The command that makes each result again",
    WORDS: "Methods and acknowledgements, as paragraphs of a paper",
    PAGE: "The record as a page of the report",
    SOURCES: "BibTeX of what the run used",
}
RECORD_FILES = (METADATA, OWN, *MEANINGS)
