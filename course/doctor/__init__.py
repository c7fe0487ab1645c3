"""What is wrong with a network, where, on what evidence, what to try first.

    from course import doctor

    print(doctor.examine(model, loader, loss=cross_entropy, optimizer=optimizer))

Nothing is changed: all is tried on copies. In reading order:

examination     examine: one call, one verdict
watching        watch: around anyone's training loop, an alarm when the run falls ill
replicas        watch_records: the same for the course's own trainer
symptoms        what the history of such a run says
verdict         Verdict, Finding, LayerRecord: what a doctor says
illnesses       ILLNESSES: what can be wrong, what to try, what it should change, which lesson
patient         the copies, the batches, and everything left as it was
trials          training steps on a copy, as given or with one thing changed
baselines       the loss of the best constant answer
tracing         what went into the loss, and through which functions
evidence        what is measured once, for all rules
jacobians       samples of the Jacobian: do unrelated directions stay unrelated?
notes           what is worth knowing, and no illness
rules           one rule for each illness, by subject, and their order
words           numbers and names as they stand in a sentence
report          a verdict as text and in a notebook
pictures        the figure by layer
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
