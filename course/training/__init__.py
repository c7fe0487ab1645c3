"""How a network learns, and what it says as it goes.

    from course import training

    for record in training.fit(network, data.digits(), epochs=10):
        print(record.step, record.loss.mean())

In reading order:

loop            fit, an iterator of records; the run behind it
step            one step of R replicas: forward, backward, update
recording       a step's operations recorded once, then repeated without Python
operations      what torch does in a step, one by one
fusing          batch norm's kernel takes the ReLU beside it along
workspace       the memory in which a recorded step computes, the same at every step
compiling       recorded operations as a function that runs without Python
parallel        some of the replicas on each thread
parts           those replicas as a network of their own, over the same memory
optimizers      SGD, Adam; how their rate changes: constant, linear_decay, step_decay
batches         which examples each replica sees at each step
problem         the data of a run, checked: its batches, and what it is evaluated on
augmentation    CropAndFlip: pictures changed at random each time they are seen
records         Record, Evaluation, NonFinite: what a step, an evaluation, a breakdown says
phasing         how the skips of a VAN leave: Multipliers, Ramp, Cut, ByHand, SCHEDULES
removal         remove_skips: the plain network that is left, certified
checkpoints     a run that was interrupted goes on to the same numbers
devices         where to compute
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
