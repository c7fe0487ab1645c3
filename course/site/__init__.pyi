from .building import build as build
from .elsewhere import by_nbgitpuller as by_nbgitpuller
from .elsewhere import on_binder as on_binder
from .elsewhere import on_colab as on_colab
from .moving import record_all as record_all
from .page import playground_page as playground_page
