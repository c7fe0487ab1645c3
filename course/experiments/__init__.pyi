from . import grid as grid
from . import settings as settings
from . import statements as statements
from . import table as table
from .pages import EXPERIMENTS as EXPERIMENTS
from .pages import Experiment as Experiment
from .pages import experiment as experiment
from .table import recorded as recorded
