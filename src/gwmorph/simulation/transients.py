"""Shapes of Gravity Spy's glitch classes.

A glitch is loud or faint relative to the noise around it, and its class is what it looks like
in whitened data. So every shape is drawn there, in arbitrary units, and :func:`colour` turns it
into strain. Times are seconds from the event's anchor; all shapes vanish smoothly at the ends.

The shapes are caricatures after the published examples (Zevin et al. 2017, arXiv:1611.04596;
Soni et al. 2021, arXiv:2103.12104), not models of the instrument.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import fft

Shape = Callable[[np.ndarray, Mapping[str, float], np.random.Generator], np.ndarray]

_HIGH_PASS_HZ = (9.0, 13.0)
_FADE_S = 0.25
_HIGHEST_OVER_NYQUIST = 0.9


@dataclass(frozen=True)
class Morphology:
    """One class of glitches.

    Attributes
    ----------
    shape : (times ``[n]`` s, parameters, rng) -> whitened waveform ``[n]``; times evenly spaced.
    parameters : names that the shape reads.
    reach : seconds on either side of the anchor that the waveform may fill.
    """

    shape: Shape
    parameters: tuple[str, ...]
    reach: Callable[[Mapping[str, float]], float]


def colour(
    whitened: np.ndarray, background: np.ndarray, sample_rate: float, fade_s: float = _FADE_S
) -> np.ndarray:
    """Turn a whitened waveform into strain.

    Parameters
    ----------
    whitened : float ``[n]``.
    background : float ``[n // 2 + 1]``, one-sided PSD without lines, 1/Hz.
    sample_rate : Hz.
    fade_s : length of the fade at both ends, s.

    Returns
    -------
    float64 ``[n]``, without power below 9 Hz, zero at both ends.
    """
    from scipy.signal.windows import tukey  # most jobs find their strain in the cache

    size = len(whitened)
    frequencies = fft.rfftfreq(size, 1 / sample_rate)
    low, high = _HIGH_PASS_HZ
    rise = np.clip((frequencies - low) / (high - low), 0, 1)
    gain = np.sin(0.5 * np.pi * rise) ** 2 * np.sqrt(background)
    fade = tukey(size, min(1.0, 2 * fade_s * sample_rate / size))
    return fft.irfft(fft.rfft(whitened * fade) * gain, size) * fade


def pulses(
    times: np.ndarray,
    centres: np.ndarray,
    frequency: np.ndarray | float,
    octaves: np.ndarray | float,
    amplitudes: np.ndarray | float = 1.0,
    phases: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Sum of short pulses whose spectra are Gaussian in log frequency.

    The time-frequency picture of one is a teardrop: wide and short at the bottom, a thin spire
    at the top. The power in an octave is largest at ``frequency`` (Hz); ``octaves`` is the
    standard deviation of the amplitude in an octave.
    """
    size = len(times)
    step = (times[-1] - times[0]) / (size - 1)
    f = fft.rfftfreq(size, step)
    log_f = np.log2(np.maximum(f, f[1]))
    spectrum = np.zeros(len(f), dtype=complex)
    for centre, f0, width, amplitude, phase in np.broadcast(
        centres, frequency, octaves, amplitudes, phases
    ):
        distance = log_f - np.log2(f0)
        shape = np.exp(-0.5 * (distance / width) ** 2 - 0.5 * np.log(2) * distance)
        spectrum += amplitude * shape * np.exp(1j * (phase - 2 * np.pi * f * (centre - times[0])))
    spectrum[0] = 0
    return fft.irfft(spectrum, size) * size / 2


def packet(
    times: np.ndarray, centre: float, frequency: float, q: float, phase: float
) -> np.ndarray:
    """Sine-Gaussian of unit amplitude; ``q`` = 2 pi frequency times the envelope's sigma."""
    sigma = q / (2 * np.pi * frequency)
    offset = times - centre
    return np.exp(-0.5 * (offset / sigma) ** 2) * np.cos(2 * np.pi * frequency * offset + phase)


def sweep(times: np.ndarray, frequency: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    """Oscillation of given instantaneous frequency (Hz) and amplitude; silent near Nyquist."""
    step = (times[-1] - times[0]) / (len(times) - 1)
    top = _HIGHEST_OVER_NYQUIST * 0.5 / step
    audible = np.clip((top - frequency) / (0.1 * top), 0, 1) * np.clip(frequency / 5 - 1, 0, 1)
    phase = 2 * np.pi * np.cumsum(np.minimum(frequency, top)) * step
    return audible * amplitude * np.cos(phase)


def gaussian(times: np.ndarray, centre: float, sigma: float) -> np.ndarray:
    """Gaussian of unit height."""
    return np.exp(-0.5 * ((times - centre) / sigma) ** 2)


def plateau(times: np.ndarray, duration: float, edge: float) -> np.ndarray:
    """Unit over ``duration`` around zero, with cosine edges of length ``edge`` inside it."""
    inside = np.clip((0.5 * duration - np.abs(times)) / edge, 0, 1)
    return np.sin(0.5 * np.pi * inside) ** 2


def smooth_noise(times: np.ndarray, correlation_s: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian process of unit variance that changes over ``correlation_s``."""
    knots = np.arange(times[0] - 4 * correlation_s, times[-1] + 5 * correlation_s, correlation_s)
    values = rng.standard_normal(len(knots))
    return np.interp(times, knots, np.convolve(values, [0.41, 0.82, 0.41], mode="same"))


def band_noise(
    times: np.ndarray, frequency: float, octaves: float, rng: np.random.Generator
) -> np.ndarray:
    """Stationary noise of unit variance, Gaussian in log frequency around ``frequency``."""
    size = len(times)
    f = fft.rfftfreq(size, (times[-1] - times[0]) / (size - 1))
    log_f = np.log2(np.maximum(f, f[1]) / frequency)
    noise = fft.rfft(rng.standard_normal(size)) * np.exp(-0.5 * (log_f / octaves) ** 2)
    noise[0] = 0
    out = fft.irfft(noise, size)
    return out / out.std()


def _phase(rng: np.random.Generator) -> float:
    return float(rng.uniform(0, 2 * np.pi))


def _train(count: float, interval: float, jitter: float, rng: np.random.Generator) -> np.ndarray:
    """Centres of ``count`` repetitions, shifted by ``jitter`` of the interval (rms)."""
    number = max(round(count), 1)
    centres = (np.arange(number) - 0.5 * (number - 1)) * interval
    return centres + jitter * interval * np.clip(rng.standard_normal(number), -2, 2)


def blip(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """One broad-band teardrop of some milliseconds; also the low-frequency blip."""
    return pulses(t, np.zeros(1), p["frequency_hz"], p["octaves"], phases=_phase(rng))


def tomte(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Wide foot below 60 Hz under a narrow spire: the tomte's hat."""
    phase = _phase(rng)
    foot = packet(t, 0.0, p["frequency_hz"], p["foot_q"], phase)
    hat = pulses(t, np.zeros(1), 2 * p["frequency_hz"], p["octaves"], phases=phase)
    return foot + p["hat"] * hat / np.abs(hat).max()


def koi_fish(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Loud blip with a broad body and fins on both sides."""
    body = pulses(t, np.zeros(1), p["frequency_hz"], p["octaves"], phases=_phase(rng))
    body /= np.abs(body).max()
    belly = packet(t, 0.0, 0.35 * p["frequency_hz"], 3.0, _phase(rng))
    fins = sum(
        packet(t, side * p["fin_s"] * rng.uniform(0.7, 1.3), p["fin_hz"], 5.0, _phase(rng))
        for side in (-1, 1)
    )
    return body + 0.7 * belly + p["fin"] * fins


def whistle(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Frequency falls to a minimum and rises again (V or U), or the reverse (arch)."""
    bend = np.abs(2 * t / p["duration_s"]) ** p["exponent"]
    rise = p["sweep_hz"] * bend
    if rng.random() < 0.5:
        frequency = p["frequency_hz"] + rise
        loudness = 1 / (1 + bend)
    else:
        frequency = p["frequency_hz"] + p["sweep_hz"] - rise
        loudness = 1 / (0.5 + np.clip(1 - bend, 0, 1))
    return sweep(t, frequency, loudness * plateau(t, p["duration_s"], 0.2 * p["duration_s"]))


def scattered_light(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Arches f = f_max |cos| of a scatterer that swings, with fainter harmonics of its path."""
    arches = max(round(p["arches"]), 1)
    # The ends of the whole train lie where the surface turns round and the arch is at 0 Hz.
    swing = np.pi * (t / p["arch_s"] + (0.5 if arches % 2 == 0 else 0.0))
    inside = plateau(t, arches * p["arch_s"], 0.15 * p["arch_s"])
    path = p["frequency_hz"] * p["arch_s"] * np.sin(swing)  # half the phase, rad
    start = _phase(rng)
    total = np.zeros_like(t)
    for bounce in range(1, max(round(p["harmonics"]), 1) + 1):
        speed = bounce * p["frequency_hz"] * np.abs(np.cos(swing))
        audible = np.clip(speed / 10 - 0.6, 0, 1)
        total += p["decay"] ** (bounce - 1) * audible * np.sin(2 * bounce * path + bounce * start)
    wobble = 1 + 0.3 * smooth_noise(t, p["arch_s"], rng)
    return inside * wobble * total


def fast_scattering(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Train of short arches a few times a second (crown)."""
    centres = _train(p["count"], p["interval_s"], 0.03, rng)
    total = np.zeros_like(t)
    for centre in centres:
        hump = gaussian(t, centre, 0.2 * p["interval_s"])
        frequency = p["frequency_hz"] * (0.6 + 0.4 * hump)
        total += sweep(t, frequency, hump * rng.uniform(0.6, 1.2))
    return total


def low_frequency_burst(
    t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Blobs of noise just above the seismic wall."""
    blobs = np.zeros_like(t)
    for _ in range(max(round(p["count"]), 1)):
        centre = rng.uniform(-0.5, 0.5) * p["duration_s"]
        blobs += rng.uniform(0.5, 1) * gaussian(t, centre, 0.2 * p["duration_s"])
    return blobs * band_noise(t, p["frequency_hz"], p["octaves"], rng)


def power_line(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Burst at the mains frequency, with some of its harmonics."""
    envelope = gaussian(t, 0.0, p["duration_s"] / 3)
    turns = (p["mains_hz"] + p["offset_hz"]) * t
    overtone = p["overtone"] * np.cos(2 * np.pi * 2 * turns + _phase(rng))
    return envelope * (np.cos(2 * np.pi * turns + _phase(rng)) + overtone)


def air_compressor(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Short, slightly bent tone near 50 Hz."""
    frequency = p["frequency_hz"] + p["bend_hz"] * (2 * t / p["duration_s"]) ** 2
    flicker = 1 + 0.3 * smooth_noise(t, 0.15, rng)
    return sweep(t, frequency, flicker * gaussian(t, 0.0, p["duration_s"] / 3))


def wandering_line(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Tone whose frequency wanders and which drops out now and then."""
    wander = p["wander_hz"] * smooth_noise(t, p["correlation_s"], rng)
    present = 1 / (1 + np.exp(-6 * (0.8 + smooth_noise(t, 0.5 * p["correlation_s"], rng))))
    envelope = plateau(t, p["duration_s"], 0.1 * p["duration_s"])
    return sweep(t, np.maximum(p["frequency_hz"] + wander, 0), envelope * present)


def violin_mode_ring(
    t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Suspension fibres near 500 Hz and their overtones near 1000 Hz, struck and dying away."""
    total = np.zeros_like(t)
    onset = 1 / (1 + np.exp(-np.clip(t / 0.002, -50, 50)))
    for _ in range(max(round(p["modes"]), 1)):
        frequency = p["frequency_hz"] + p["spread_hz"] * rng.standard_normal()
        decay = p["decay_s"] * rng.uniform(0.7, 1.3)
        ring = onset * np.exp(-np.clip(t, 0, None) / decay)
        first = np.cos(2 * np.pi * frequency * t + _phase(rng))
        second = np.cos(2 * np.pi * 1.985 * frequency * t + _phase(rng))
        total += ring * (first + p["overtone"] * second)
    return total


def repeating_blips(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Several blips at about equal intervals, of unequal loudness."""
    centres = _train(p["count"], p["interval_s"], 0.12, rng)
    loudness = rng.uniform(0.3, 1, len(centres))
    return pulses(t, centres, p["frequency_hz"], p["octaves"], loudness, _phase(rng))


def extremely_loud(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """The interferometer is shaken out of its linear range: everything at once, then ringing."""
    blow = pulses(t, np.zeros(1), p["frequency_hz"], p["octaves"], phases=_phase(rng))
    blow /= np.abs(blow).max()
    low = gaussian(t, 0.0, p["duration_s"] / 3) * band_noise(t, p["low_hz"], 0.7, rng)
    wide = gaussian(t, 0.0, p["duration_s"] / 12) * band_noise(t, 6 * p["low_hz"], 1.5, rng)
    return blow + 0.25 * low + 0.15 * wide


def paired_doves(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Alternately falling and rising short sweeps."""
    centres = _train(p["count"], p["interval_s"], 0.05, rng)
    total = np.zeros_like(t)
    direction = rng.choice([-1.0, 1.0])
    for number, centre in enumerate(centres):
        offset = direction * (-1) ** number * (t - centre) / p["sweep_s"]
        frequency = p["frequency_hz"] * 2 ** (p["sweep_octaves"] * np.clip(offset, -1.5, 1.5))
        wing = gaussian(t, centre, 0.3 * p["sweep_s"]) * rng.uniform(0.6, 1.1)
        total += sweep(t, frequency, wing)
    return total


def light_modulation(
    t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Flurry of thin spikes standing on low-frequency blobs."""
    number = max(round(p["count"]), 1)
    centres = rng.uniform(-0.5, 0.5, number) * p["duration_s"]
    loudness = rng.uniform(0.2, 1, number)
    spikes = pulses(t, centres, p["spike_hz"], 1.0, loudness, _phase(rng))
    spikes /= np.abs(spikes).max()
    blobs = np.zeros_like(t)
    for centre in centres:
        blobs += rng.uniform(0.2, 0.8) * packet(
            t,
            centre + rng.uniform(0, 0.15) * p["duration_s"],
            p["frequency_hz"] * rng.uniform(0.8, 1.3),
            rng.uniform(4, 10),
            _phase(rng),
        )
    return spikes + 0.3 * blobs


def helix(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Train of double pulses whose spectra interfere like two wound strands."""
    centres = _train(p["count"], p["interval_s"], 0.15, rng)
    loudness = np.repeat(rng.uniform(0.4, 1, len(centres)), 2)
    pairs = np.repeat(centres, 2) + np.tile([-0.5, 0.5], len(centres)) * p["strand_s"]
    return pulses(t, pairs, p["frequency_hz"], p["octaves"], loudness, _phase(rng))


def scratchy(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Dense row of short blobs in one band."""
    count = max(round(p["duration_s"] / p["interval_s"]), 2)
    centres = _train(count, p["interval_s"], 0.25, rng)
    loudness = rng.uniform(0.2, 1, count) * gaussian(centres, 0.0, 0.4 * p["duration_s"])
    total = np.zeros_like(t)
    for centre, amplitude in zip(centres, loudness, strict=True):
        frequency = p["frequency_hz"] * 2 ** (0.2 * rng.standard_normal())
        total += amplitude * packet(t, centre, frequency, p["q"], _phase(rng))
    return total


def band_flicker(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Narrow band of noise that flickers at a high frequency (1080 Hz lines)."""
    carrier = np.exp(2j * np.pi * p["frequency_hz"] * t)
    slow = smooth_noise(t, 0.5 / p["bandwidth_hz"], rng)
    quick = smooth_noise(t, 0.5 / p["bandwidth_hz"], rng)
    return plateau(t, p["duration_s"], 0.3 * p["duration_s"]) * np.real(
        (slow + 1j * quick) * carrier
    )


def low_frequency_lines(
    t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Nearly steady tones at low frequency that come and go within seconds."""
    envelope = plateau(t, p["duration_s"], 0.3 * p["duration_s"])
    total = np.zeros_like(t)
    for number in range(max(round(p["lines"]), 1)):
        frequency = p["frequency_hz"] * (1 + number * rng.uniform(0.1, 0.5))
        slow = 0.3 * smooth_noise(t, 1.0, rng)
        total += rng.uniform(0.5, 1) * sweep(t, frequency + slow, envelope)
    return total


def beat_note(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Beat of two oscillators that pass each other once or a few times: V, U and W.

    The frequency is their distance (Nuttall et al. 2015, arXiv:1508.07316), so it falls to a
    minimum and rises out of the band again. ``fall`` says how much fainter the arms are.
    """
    passes = _train(p["count"], p["interval_s"], 0.2, rng)
    lowest = p["frequency_hz"] * 2 ** rng.uniform(-0.4, 0.4, len(passes))
    nearest = np.abs(t[:, None] - passes).argmin(axis=1)
    away = np.abs(2 * (t - passes[nearest]) / p["duration_s"])
    frequency = lowest[nearest] + p["sweep_hz"] * away ** p["exponent"]
    # The arms of the outermost passes end where the lowest one has swept its range.
    length = passes[-1] - passes[0] + p["duration_s"]
    loudness = (frequency / lowest[nearest]) ** -p["fall"]
    middle = 0.5 * (passes[0] + passes[-1])
    return sweep(t, frequency, loudness * plateau(t - middle, length, 0.2 * p["duration_s"]))


def many_bounces(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Arches of one scatterer, one over the other, of which any may be the loudest.

    Light that meets the scatterer n times gives n times the frequency (Soni et al. 2021,
    arXiv:2007.14876); what is below the detector's band is not seen. ``frequency_hz`` is reached
    by the loudest arch, whose n is ``order``.
    """
    order = max(round(p["order"]), 1)
    arches = max(round(p["arches"]), 1)
    swing = np.pi * (t / p["arch_s"] + (0.5 if arches % 2 == 0 else 0.0))
    inside = plateau(t, arches * p["arch_s"], 0.15 * p["arch_s"])
    slowest = p["frequency_hz"] / order
    path = slowest * p["arch_s"] * np.sin(swing)  # half the phase of the slowest, rad
    total = np.zeros_like(t)
    for bounce in range(1, order + max(round(p["above"]), 0) + 1):
        speed = bounce * slowest * np.abs(np.cos(swing))
        audible = np.clip(speed / 10 - 0.6, 0, 1)
        loudness = p["decay"] ** abs(bounce - order) * (1 if bounce == order else rng.uniform())
        total += loudness * audible * np.sin(2 * bounce * path + _phase(rng))
    return inside * (1 + 0.3 * smooth_noise(t, p["arch_s"], rng)) * total


def rumble(t: np.ndarray, p: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Flurry of spikes that stand wide on a low-frequency rumble, which swells with them.

    Light modulation as strain shows it. ``spike`` is the spikes' height over the rumble's.
    """
    number = max(round(p["count"]), 1)
    # The loudest in the middle, the others around it.
    centres = np.append(0.0, rng.uniform(-0.5, 0.5, number - 1) * p["duration_s"])
    loudness = np.append(1.0, rng.uniform(0.1, 0.8, number - 1))
    pitch = p["spike_hz"] * 2 ** rng.uniform(-0.5, 0.5, number)
    spikes = pulses(t, centres, pitch, p["octaves"], loudness, _phase(rng))
    swell = sum(
        height * gaussian(t, centre, rng.uniform(0.05, 0.25) * p["duration_s"])
        for centre, height in zip(centres, loudness, strict=True)
    )
    low = swell * band_noise(t, p["frequency_hz"], p["rumble_octaves"], rng)
    return low / np.abs(low).max() + p["spike"] * spikes / np.abs(spikes).max()


def _around(scale: str, factor: float, margin: float = 0.5) -> Callable[..., float]:
    return lambda p: factor * p[scale] + margin


def _train_reach(p: Mapping[str, float]) -> float:
    return 0.5 * (p["count"] + 1) * p["interval_s"] + 1.0


MORPHOLOGIES: dict[str, Morphology] = {
    "blip": Morphology(blip, ("frequency_hz", "octaves"), lambda p: 0.5),
    "low_frequency_blip": Morphology(blip, ("frequency_hz", "octaves"), lambda p: 1.0),
    "tomte": Morphology(tomte, ("frequency_hz", "foot_q", "octaves", "hat"), lambda p: 1.0),
    "koi_fish": Morphology(
        koi_fish, ("frequency_hz", "octaves", "fin_hz", "fin_s", "fin"), lambda p: 1.5
    ),
    "whistle": Morphology(
        whistle, ("frequency_hz", "sweep_hz", "duration_s", "exponent"), _around("duration_s", 0.5)
    ),
    "scattered_light": Morphology(
        scattered_light,
        ("frequency_hz", "arch_s", "arches", "harmonics", "decay"),
        lambda p: 0.5 * (p["arches"] + 1) * p["arch_s"] + 0.5,
    ),
    "fast_scattering": Morphology(
        fast_scattering, ("frequency_hz", "interval_s", "count"), _train_reach
    ),
    "low_frequency_burst": Morphology(
        low_frequency_burst,
        ("frequency_hz", "octaves", "duration_s", "count"),
        _around("duration_s", 1.5, 1.0),
    ),
    "power_line": Morphology(
        power_line,
        ("mains_hz", "offset_hz", "duration_s", "overtone"),
        _around("duration_s", 1.5),
    ),
    "air_compressor": Morphology(
        air_compressor, ("frequency_hz", "bend_hz", "duration_s"), _around("duration_s", 1.5)
    ),
    "wandering_line": Morphology(
        wandering_line,
        ("frequency_hz", "wander_hz", "correlation_s", "duration_s"),
        _around("duration_s", 0.5),
    ),
    "violin_mode_ring": Morphology(
        violin_mode_ring,
        ("frequency_hz", "spread_hz", "modes", "decay_s", "overtone"),
        _around("decay_s", 8.0),
    ),
    "repeating_blips": Morphology(
        repeating_blips, ("frequency_hz", "octaves", "interval_s", "count"), _train_reach
    ),
    "extremely_loud": Morphology(
        extremely_loud,
        ("frequency_hz", "octaves", "low_hz", "duration_s"),
        _around("duration_s", 1.5, 1.0),
    ),
    "paired_doves": Morphology(
        paired_doves,
        ("frequency_hz", "sweep_octaves", "sweep_s", "interval_s", "count"),
        _train_reach,
    ),
    "light_modulation": Morphology(
        light_modulation,
        ("frequency_hz", "spike_hz", "duration_s", "count"),
        _around("duration_s", 0.7, 1.0),
    ),
    "helix": Morphology(
        helix, ("frequency_hz", "octaves", "strand_s", "interval_s", "count"), _train_reach
    ),
    "scratchy": Morphology(
        scratchy, ("frequency_hz", "q", "interval_s", "duration_s"), _around("duration_s", 0.7)
    ),
    "lines_1080": Morphology(
        band_flicker, ("frequency_hz", "bandwidth_hz", "duration_s"), _around("duration_s", 0.5)
    ),
    "low_frequency_lines": Morphology(
        low_frequency_lines, ("frequency_hz", "lines", "duration_s"), _around("duration_s", 0.5)
    ),
}

# Every way to draw a class: its own by default, others where a population names them.
SHAPES: dict[str, Morphology] = {
    **MORPHOLOGIES,
    "beat_note": Morphology(
        beat_note,
        ("frequency_hz", "sweep_hz", "duration_s", "exponent", "count", "interval_s", "fall"),
        lambda p: 0.5 * (p["count"] + 1) * p["interval_s"] + 0.5 * p["duration_s"] + 0.5,
    ),
    "many_bounces": Morphology(
        many_bounces,
        ("frequency_hz", "order", "above", "decay", "arch_s", "arches"),
        lambda p: 0.5 * (p["arches"] + 1) * p["arch_s"] + 0.5,
    ),
    "rumble": Morphology(
        rumble,
        ("frequency_hz", "rumble_octaves", "spike_hz", "octaves", "spike", "duration_s", "count"),
        _around("duration_s", 1.5, 1.0),
    ),
}
