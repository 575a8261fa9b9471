"""How many images a page of Glance holds, as its responses show."""

from gateway.glance.listing import PAGE_MAX_IMAGES, ImagePage


class PageSize:
    """The size of a full page: 1000 images, unless the operator set less.

    Nothing says it but a page that is shorter than what was asked for while
    another one follows.
    """

    def __init__(self) -> None:
        """Take 1000 images for it until a page is shorter."""
        self.images = PAGE_MAX_IMAGES

    def observe(self, page: ImagePage, limit: int) -> None:
        """Learn from a page that `limit` images were asked for of."""
        count = len(page.images)
        is_cut = page.has_more and 0 < count < limit
        if is_cut or count > self.images:
            self.images = count
