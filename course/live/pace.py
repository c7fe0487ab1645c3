"""How often a training is drawn: seldom enough that its pictures do not hold it up."""

PERIOD = 0.25  # seconds between two pictures at least
SHARE = 0.05  # of the time of a training, which its pictures may take
UNSEEN = 0.005  # where nobody watches


class Pace:
    """When the next picture of a training is due, by the clock: `due`, in seconds.

    With the next one, which is taken to be as slow as those so far, pictures have taken no more
    than `share` of the time since the training began. The first comes after PERIOD, however slow.
    """

    def __init__(self, now: float, share: float = SHARE) -> None:
        self.began, self.due, self.share = now, now + PERIOD, share
        self.spent, self.pictures = 0.0, 0  # seconds

    def draw(self, before: float, after: float) -> None:
        """A picture was begun and ended at these times."""
        self.spent += after - before
        self.pictures += 1
        with_next = self.spent * (self.pictures + 1) / self.pictures
        self.due = max(after + PERIOD, self.began + with_next / self.share)

    def wait(self, seconds: float) -> None:
        """The training was paused for so long: that is not saved up for pictures."""
        self.began += seconds
        self.due += seconds
