"""Experiments: each is one page of plain settings and one command.

    from course.experiments import EXPERIMENTS, grid, recorded

    page = EXPERIMENTS["degradation"]                  # .name, .summary, .page, .settings
    settings = page.settings.change(depths=(2, 10, 30), seeds=3, epochs=None)
    table = grid.run(page.name, settings, out="results", jobs=2)
    table.path                                         # results/degradation-digits.csv
    table.columns["train_accuracy"]                    # numpy; rows: network, depth, seed, epoch

In reading order:

degradation     a page: do plain networks get worse as they get deeper?
figure1         a page: figure 1 of the VAN paper
cifar           a page: figures 2 and 3 of the VAN paper, convolutional networks
pages           EXPERIMENTS, experiment: the pages by name
settings        Grid and ConvGrid, what a page fills in; `change` leaves what is None as it is
grid            run: trains networks x depths x seeds and writes the table
cells           one network at one depth, with all its seeds
cluster         cells on a running Dask cluster; a worker that dies costs no more than time
making          what a cell trains and how
prediction      predict: how long a grid will take here, and how much memory
table           Table; recorded, the tables that come with the course
statements      what the VAN paper says, beside what a table shows
conv_statements the same for its convolutional networks

Nothing is loaded before it is used: listing the experiments does not load torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
