from .building import build as build
from .moving import record_all as record_all
from .page import playground_page as playground_page
