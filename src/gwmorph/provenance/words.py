"""What a paper says of a run, filled from its facts: Markdown, with pandoc's citations."""

from collections.abc import Mapping, Sequence
from typing import Any

from gwmorph.provenance.facts import Facts, Observed
from gwmorph.provenance.observing_runs import is_public
from gwmorph.provenance.references import cited, data_sets_of, used_keys
from gwmorph.wording import counted

# Source: gwosc.org/acknowledgement, the words that GWOSC asks for.
_GWOSC = (
    "This research has made use of data or software obtained from the Gravitational Wave Open "
    "Science Center (gwosc.org), a service of the LIGO Scientific Collaboration, the Virgo "
    "Collaboration, and KAGRA. This material is based upon work supported by NSF's LIGO "
    "Laboratory which is a major facility fully funded by the National Science Foundation, as "
    "well as the Science and Technology Facilities Council (STFC) of the United Kingdom, the "
    "Max-Planck-Society (MPS), and the State of Niedersachsen/Germany for support of the "
    "construction of Advanced LIGO and construction and operation of the GEO600 detector. "
    "Additional support for Advanced LIGO was provided by the Australian Research Council. Virgo "
    "is funded, through the European Gravitational Observatory (EGO), by the French Centre "
    "National de Recherche Scientifique (CNRS), the Italian Istituto Nazionale di Fisica Nucleare "
    "(INFN) and the Dutch Nikhef, with contributions by institutions from Belgium, Germany, "
    "Greece, Hungary, Ireland, Japan, Monaco, Poland, Portugal, Spain. KAGRA is supported by "
    "Ministry of Education, Culture, Sports, Science and Technology (MEXT), Japan Society for the "
    "Promotion of Science (JSPS) in Japan; National Research Foundation (NRF) and Ministry of "
    "Science and ICT (MSIT) in Korea; Academia Sinica (AS) and National Science and Technology "
    "Council (NSTC) in Taiwan."
)
_ENCODERS = {
    "dct": "a discrete cosine transform, without weights,",
    "indomain": "a small network trained by contrasting simulated signals",
    "dinov2": "DINOv2 (ViT-S/14 with registers), frozen,",
    "autoencoder": "the bottleneck of a convolutional autoencoder",
}
_ENCODER_SOURCES = {
    "dct": ["ahmed1974"],
    "indomain": ["chen2020", "xiao2021"],
    "dinov2": ["oquab2023", "darcet2023"],
    "autoencoder": ["hinton2006"],
}
_KEPT_OUT = {
    "background": "quiet windows of the run",
    "references": "labelled rows",
    "training": "real strain to train on",
}
_METHODS = {
    "mixture": ("a Dirichlet-process mixture of Gaussians", ["blei2006"]),
    "communities": ("communities of the neighbour graph", ["traag2019"]),
    "hdbscan": ("HDBSCAN", ["campello2013"]),
}


def methods_page(facts: Facts) -> str:
    """Return both paragraphs under headings, as Markdown."""
    return "\n\n".join(
        [
            f"# Methods and data of run {facts.run}",
            "## Methods",
            methods(facts),
            "## Data and acknowledgements",
            acknowledgement(facts),
            "",
        ]
    )


def methods(facts: Facts) -> str:
    """Return how a run was made, in the past tense, with its numbers and sources."""
    sentences = [
        *_data(facts),
        *_pictures(facts),
        *_events(facts),
        *_clusters(facts),
        *_known(facts),
        *_significance(facts),
        _means(facts),
    ]
    return " ".join(sentences)


def acknowledgement(facts: Facts) -> str:
    """Return what data a run is of, how its makers ask to be thanked, and what ran it."""
    sources = used_keys(facts)
    ran = (
        f"The analysis was run with Snakemake{cited(['moelder2021'], sources)} and used NumPy"
        f"{cited(['harris2020'], sources)}, SciPy{cited(['virtanen2020'], sources)}, Numba"
        f"{cited(['lam2015'], sources)}, scikit-learn{cited(['pedregosa2011'], sources)} and "
        f"Matplotlib{cited(['hunter2007'], sources)}."
    )
    return "\n\n".join([_data_source(facts), ran])


def _data_source(facts: Facts) -> str:
    if facts.configuration["source"]["kind"] == "simulated":
        return (
            "The strain is simulated: coloured Gaussian noise with lines, and transients of known "
            "kinds. It is no detector's, and its numbers say nothing about one."
        )
    names = [
        given.file.path.rpartition("/")[2] for given in facts.inputs if given.what == "strain"
    ]
    if not any(map(is_public, names)):
        return (
            "The strain is the user's own files; say whose they are, and thank who made them. "
            "Their names and SHA-256 are in the record."
        )
    runs = [
        f"{run.name} (doi:{run.doi}){cited([run.paper, f'gwosc_{run.name}'], _with_sets(facts))}"
        if run.doi
        else f"{run.name}{cited([run.paper], used_keys(facts))}"
        for run in data_sets_of(facts)
    ]
    of = f" It is of the data set {_listed(runs)}." if len(runs) == 1 else ""
    of = f" It is of the data sets {_listed(runs)}." if len(runs) > 1 else of
    return f"{_GWOSC}{of}"


def _with_sets(facts: Facts) -> list[str]:
    return [*used_keys(facts), *(f"gwosc_{run.name}" for run in data_sets_of(facts) if run.doi)]


def _data(facts: Facts) -> list[str]:
    configuration = facts.configuration
    start, end = (configuration["run"][key] for key in ("gps_start", "gps_end"))
    window = configuration["window"]
    kind = {"simulated": "simulated strain", "gwosc": "public strain", "directory": "strain"}
    parts = [
        f"{name}: {one.flag}, {counted(len(one.segments), 'segment')}, "
        f"{one.science_s:,} s of science data, livetime {one.livetime_s:,} s"
        for name, one in facts.observed.items()
    ]
    return [
        f"We analysed {kind[configuration['source']['kind']]} of {_listed(list(facts.observed))} "
        f"between GPS {start} and {end} with gwmorph {facts.version}"
        f"{cited(['gwmorph'], used_keys(facts))} ({'; '.join(parts)}).",
        f"Science segments were cut into windows of {window['duration_s']} s, every "
        f"{window['stride_s']} s on one grid; a window counts as analysed where it also has "
        f"{window['context_s']} s of science data on both sides.",
    ]


def _pictures(facts: Facts) -> list[str]:
    configuration, sources = facts.configuration, used_keys(facts)
    conditioning, tiling, picture = (
        configuration[key] for key in ("conditioning", "qtransform", "picture")
    )
    shown = (
        "the largest energy over all Q-planes"
        if picture["plane"] == "max"
        else "the energy of the Q-plane that holds the loudest tile"
    )
    return [
        f"Strain was brought to {conditioning['sample_rate']} Hz, whitened by the median of "
        f"spectra of {conditioning['psd_segment_s']} s{cited(['allen2012'], sources)}, limited to "
        f"{conditioning['low_hz']:g} to {conditioning['high_hz']:g} Hz and drawn as constant-Q "
        f"spectrograms{cited(['chatterji2004', 'macleod2021'], sources)} of Q from "
        f"{tiling['q_low']:g} to {tiling['q_high']:g} on {picture['height']} by "
        f"{picture['width']} pixels, each of which holds {shown} inside of it, up to "
        f"{picture['energy_max']:g}."
    ]


def _events(facts: Facts) -> list[str]:
    configuration, sources = facts.configuration, used_keys(facts)
    events, score = configuration["events"], configuration["score"]
    counts = [f"{one.triggers:,} in {name}" for name, one in facts.observed.items()]
    scored = [f"{one.scored_events:,} in {name}" for name, one in facts.observed.items()]
    said = [
        f"Tiles of SNR {events['tile_snr']:g} and more that hang together in frequency within "
        f"{events['gap_s']:g} s are a trigger where the loudest has {events['snr']:g}, by "
        f"Omicron's convention{cited(['robinet2020'], sources)}: {_listed(counts)}."
    ]
    if score["background"] == "none":
        return said
    background = {
        "simulated": "of simulated noise of each detector",
        "run": "of the run's own, without such a tile",
    }[score["background"]]
    return [
        *said,
        "Each window was also scored by how improbable its loudest tile, its boxes and paths of "
        f"tiles, its tracks of binaries{cited(['peters1964'], sources)} and its picture are, "
        f"beside at most {score['quiet_windows']:,} quiet windows {background}, with limits that "
        f"{100 * score['false_alarm_fraction']:g} % of quiet windows pass"
        f"{cited(['barber2021'], sources)}: that made {_listed(scored)} further events without so "
        "loud a tile.",
    ]


def _clusters(facts: Facts) -> list[str]:
    clustering, sources = facts.configuration["clustering"], used_keys(facts)
    encoder = facts.configuration["encoder"]["name"]
    method, source = _METHODS[clustering["method"]]
    drawn = (
        f"Pictures became vectors by {_ENCODERS[encoder]}"
        f"{cited(_ENCODER_SOURCES[encoder], sources)}."
    )
    laid_out = (
        f"At most {clustering['pca_components']} principal components of the vectors were laid "
        f"out by UMAP{cited(['mcinnes2018'], sources)} in {clustering['umap']['dimensions']} "
        f"dimensions and cut by {method}{cited(source, sources)}; groups that overlap as parts of "
        "structureless clouds of the same covariance do were joined."
    )
    found = [
        f"{found['members']:,} {view} views make {counted(found['clusters'], 'cluster')}, "
        f"{found['clusters_supported']} of them more separate than parts of such clouds, the "
        f"largest with {100 * (found['largest_cluster_share'] or 0):.0f} % of all"
        for view, found in facts.views.items()
        if found["clustered"]
    ]
    none = [
        f"the {found['members']:,} {view} views are too few for clusters"
        for view, found in facts.views.items()
        if not found["clustered"]
    ]
    said = "; ".join([*found, *none])
    return [drawn, *([laid_out] if found else []), f"{said[:1].upper()}{said[1:]}."]


def _known(facts: Facts) -> list[str]:
    """Say what a run was judged by: what is known of its data, and limits of classes."""
    known, calibration = (facts.configuration[key] for key in ("known_events", "calibration"))
    there = {
        "background": facts.configuration["score"]["background"] == "run",
        "references": True,
        "training": "train_encoder" in facts.targets,
    }
    kept_out = [_KEPT_OUT[what] for what in known["kept_out"] if there[what]]
    said = []
    if known["catalog"] != "none" and kept_out:
        said.append(
            "Published events, by GWOSC's table of event versions, and what is within "
            f"{known['margin_s']:g} s of them were kept out of {_listed(kept_out)}."
        )
    if "calibrate" in facts.targets and calibration["atlas"] is None:
        said.append(
            "Limits above which a row is called novel were set so that "
            f"{100 * calibration['rate']:g} % of new rows of known kinds pass them; the record "
            "has the rates that were achieved."
        )
    return said


def _significance(facts: Facts) -> list[str]:
    if "timeslides" not in facts.targets:
        return []
    slides, sources = facts.configuration["timeslides"], used_keys(facts)
    return [
        "Coincidences between detectors were compared with at most "
        f"{slides['slides']:,} time slides in steps of {slides['step_s']:g} s"
        f"{cited(['was2010', 'usman2016'], sources)}; p-values are (b + 1)/(m + 1)"
        f"{cited(['phipson2010'], sources)}, and false-alarm rates are given with and without the "
        f"candidates' own triggers{cited(['capano2017'], sources)}."
    ]


def _means(facts: Facts) -> str:
    checkout = facts.checkout
    code = {
        True: f"commit {checkout.commit}",
        False: f"commit {checkout.commit} with changes that the record holds",
        None: "code that the record holds",
    }[checkout.is_clean]
    return (
        f"All of it is recorded as a Workflow Run RO-Crate{cited(['leo2024'], used_keys(facts))} "
        f"({code}, configuration SHA-256 {facts.config_sha256[:16]}…)."
    )


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def describe_observed(observed: Mapping[str, Observed]) -> list[list[Any]]:
    """Return a row for each detector: name, flag, segments, seconds of each kind, triggers."""
    return [
        [
            name,
            one.flag,
            len(one.segments),
            *(f"{s:,}" for s in (one.science_s, one.gridded_s, one.context_limited_s)),
            f"{one.livetime_s:,}",
            f"{one.triggers:,}",
        ]
        for name, one in observed.items()
    ]
