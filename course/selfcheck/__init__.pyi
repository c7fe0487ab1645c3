from . import answers as answers
from .exercise import agree as agree
from .exercise import check as check
from .exercise import holds as holds
from .prediction import predict as predict
from .prediction import revisit as revisit
