from .page import playground_page as playground_page
