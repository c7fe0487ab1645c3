from .building import build as build
from .page import playground_page as playground_page
