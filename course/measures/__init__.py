"""What one can measure, on any torch.nn.Module or on what came out of one.

    from course import measures

    with measures.Probe(model) as probe:
        loss(model(x), y).backward()
    probe.table()                          # layer by layer: sizes, ranks, gradients, dead units

In reading order:

loss             losses, accuracies, evaluate
signals          layers by name, their outputs, norms and gradients, the first NaN
representations  one matrix of activations: rank, cosine, neighbours, dead and saturated units
passes           one_pass: Signals, what layers return for one batch, and the gradients there
activations      what a probe keeps of a layer's output, and the measures of it
weights          lengths of weights, gradients and updates
probe            Probe: all of these, layer by layer, on anyone's model
spectra          jacobian, layer_jacobians, product_spectrum, Spectrum
product_svd      singular values over hundreds of decades, for `spectra`
points           outputs_at: a network at many points of weight space at once
landscape        Surface, surface, directions and paths in the space of the weights
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
