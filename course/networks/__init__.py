"""The textbook: networks of the course, every one of them R replicas side by side.

    from course import data, networks

    digits = data.digits()
    net = networks.build("resnet", like=digits, width=50, depth=30, seeds=range(5))
    net(digits.x_test)                                  # (297, 64) -> (5, 297, 10)

In reading order:

blocks          each architecture is one equation, and one class: PostActivation (plain, DiracNet),
                PreActivation, Residual, Scale, Highway, VariableActivation
architectures   Recipe: what each network is made from, and how; ARCHITECTURES by name
network         build, convolutional, mlp, rebuild, first_blocks, extend_with_identity; Network
layers          Linear, DiracLinear, Activation, BatchNorm, LayerNorm for replicas
convnets        the same architectures, of convolutions: CONVOLUTIONAL by name
units           the equations of `blocks` for maps: ResidualUnit, HighwayUnit, VariableUnit
convolutions    Convolution, DiracConvolution, MapNorm, GlobalAverage for replicas
kernels         batch norm in one pass over memory, where there is a C compiler (kernels.c)
memory          what is freed is kept: the next operation needs it again
threads         one_thread, on_threads: thin layers lose by a second one; for_replicas: they don't
activations     the nonlinearities by name, their derivatives and gains
draws           gaussians, uniforms, factors: what has been drawn once is not drawn again
initializers    laws of the first weights: a law is a function of fan_in, fan_out and a generator

`activations` and `initializers` are front doors of their own:
`from course.networks import activations, initializers`.
Nothing is loaded before it is used, torch included.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
