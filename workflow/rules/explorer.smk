# Needs clusters and vectors of every view, their names and statuses where a run has some, pictures,
# receipts, triggers and ledgers. Makes the explorer: one page of every window and event, which needs no network.


rule explorer:
    input:
        unpack(explored),
        pictures=of_blocks(PICTURES, EVENTS),
        receipts=of_blocks(RECEIPTS),
        triggers=[TRIGGER_TABLE],
        ledger=of_blocks(LEDGER),
    output:
        folder=directory(EXPLORER),
    log:
        "results/{run}/logs/explorer.log",
    benchmark:
        "results/{run}/benchmarks/explorer.tsv"
    conda:
        "../../envs/evidence.yaml"
    threads: 1
    resources:
        mem_mb=explorer_mb,
        runtime=explorer_minutes,
    params:
        # The one to begin with first.
        views=sorted(VIEWS),
        window_s=CONFIG.window.duration_s,
        neighbors=EXPLORED_NEIGHBORS,
        among=EXPLORED_AMONG,
        strain_root=untracked(STRAIN_ROOT),
        page=EXPLORER_PAGE,
        code=code("explorer"),
    message:
        "Making the explorer of run {wildcards.run}"
    script:
        "../../scripts/explorer.py"
