# What the rules of validation share: the names of its files, and what it is made for.

VALIDATION = "results/{run}/validation/{view}"
AGREEMENTS = f"{VALIDATION}/stability.parquet"
PAIRS = f"{VALIDATION}/pairs.parquet"
SURVIVAL = f"{VALIDATION}/survival.parquet"
DISTORTION = f"{VALIDATION}/distortion.parquet"
SEPARATION = f"{VALIDATION}/separation.parquet"
# Of each question: a figure and a table.
QUESTIONS = ("stability", "distortion")


def validation_files():
    """Return what the clusters are validated for."""
    shown = [
        f"{VALIDATION}/{question}.{kind}"
        for question in QUESTIONS
        for kind in ("png", "html")
    ]
    return expand(shown, run=RUN, view=VIEWS)


def validated(*sections):
    """Return the keys of validation that a rule reads, beside those of all questions."""
    common = {"seed", "rows", "block_s", "repeats"}
    return CONFIG.validation.model_dump(mode="json", include=common | set(sections))
