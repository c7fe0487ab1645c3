"""The textbook: networks of the course, every one of them R replicas side by side.

    from course import networks

    net = networks.build("resnet", inputs=64, width=50, depth=30, outputs=10, seeds=range(5))
    net(x)                                              # x (batch, 64) -> (5, batch, 10)

In reading order:

blocks          each architecture is one equation, and one class: PostActivation (plain, DiracNet),
                PreActivation, Residual, Scale, Highway, VariableActivation
architectures   build, mlp, rebuild, extend_with_identity; Network; ARCHITECTURES, the names
layers          Linear, DiracLinear, Activation, BatchNorm, LayerNorm for replicas
threads         one_thread: thin layers lose by a second one
activations     the nonlinearities by name, their derivatives and gains
initializers    laws of the first weights: a law is a function of fan_in, fan_out and a generator

The last two are front doors of their own: `from course.networks import activations, initializers`.
Nothing is loaded before it is used, torch included.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
