"""The course in a browser, with nothing to install.

    course site                 writes all lessons as pages into a folder
    course playground           writes the depth playground, which trains in the page

In reading order:

sources     what becomes a page: each notebook as it is stored, the handbook, the guide
predictions questions that a page asks as the notebook does; where exercises are run
