"""The configuration as models: every key with its meaning, unit and default.

One module holds one section. The models generate ``config/config.yaml`` and the JSON Schema. No
other part of the library reads a configuration file: functions take arguments.
"""

from gwmorph.config.autoencoder import AutoencoderConfig, AutoencoderHeadConfig
from gwmorph.config.base import Detector, EncoderName
from gwmorph.config.calibration import CalibrationConfig
from gwmorph.config.chirp_search import ChirpSearchConfig
from gwmorph.config.clustering import (
    ClusteringConfig,
    CommunitiesConfig,
    HdbscanConfig,
    MixtureConfig,
    SeparationConfig,
    UmapConfig,
)
from gwmorph.config.comparison import ComparisonCampaignConfig, ComparisonConfig, NamingConfig
from gwmorph.config.conditioning import ConditioningConfig
from gwmorph.config.encoder import (
    AutoencoderWeightsConfig,
    EncoderConfig,
    IndomainConfig,
    WeightsConfig,
)
from gwmorph.config.events import CandidatesConfig, EventsConfig
from gwmorph.config.finetune import FinetuneConfig, TransferConfig
from gwmorph.config.injections import InjectionsConfig
from gwmorph.config.known_events import KnownEventsConfig
from gwmorph.config.learning import LearningConfig
from gwmorph.config.parsing import Config, leaves, parse_config, sections
from gwmorph.config.picture import PictureConfig
from gwmorph.config.qtransform import QTransformConfig
from gwmorph.config.report import ReportConfig
from gwmorph.config.run import RunConfig
from gwmorph.config.scan import ReceiverConfig, ScanConfig, WatchConfig
from gwmorph.config.score import ScoreConfig
from gwmorph.config.source import DirectoryConfig, GwoscConfig, SimulatedConfig, SourceConfig
from gwmorph.config.supervised import SupervisedConfig
from gwmorph.config.timeslides import TimeslidesConfig
from gwmorph.config.training import TrainingConfig
from gwmorph.config.validation import (
    AblationConfig,
    SimilarityConfig,
    StabilityConfig,
    ValidationConfig,
)
from gwmorph.config.window import WindowConfig
from gwmorph.config.yaml_files import load_yaml

__all__ = [
    "AblationConfig",
    "AutoencoderConfig",
    "AutoencoderHeadConfig",
    "AutoencoderWeightsConfig",
    "CalibrationConfig",
    "CandidatesConfig",
    "ChirpSearchConfig",
    "ClusteringConfig",
    "CommunitiesConfig",
    "ComparisonCampaignConfig",
    "ComparisonConfig",
    "ConditioningConfig",
    "Config",
    "Detector",
    "DirectoryConfig",
    "EncoderConfig",
    "EncoderName",
    "EventsConfig",
    "FinetuneConfig",
    "GwoscConfig",
    "HdbscanConfig",
    "IndomainConfig",
    "InjectionsConfig",
    "KnownEventsConfig",
    "LearningConfig",
    "MixtureConfig",
    "NamingConfig",
    "PictureConfig",
    "QTransformConfig",
    "ReceiverConfig",
    "ReportConfig",
    "RunConfig",
    "ScanConfig",
    "ScoreConfig",
    "SeparationConfig",
    "SimilarityConfig",
    "SimulatedConfig",
    "SourceConfig",
    "StabilityConfig",
    "SupervisedConfig",
    "TimeslidesConfig",
    "TrainingConfig",
    "TransferConfig",
    "UmapConfig",
    "ValidationConfig",
    "WatchConfig",
    "WeightsConfig",
    "WindowConfig",
    "leaves",
    "load_yaml",
    "parse_config",
    "sections",
]
