"""How many images one page of Glance holds, as its responses show."""

from gateway.glance.listing import PAGE_MAX_IMAGES, ImagePage


class PageSize:
    """The size of a full page: 1000 images, unless the operator has set fewer.

    Glance does not report it. A page that has fewer images than were requested,
    although another page follows, shows it.
    """

    def __init__(self) -> None:
        """Assume 1000 images until a page is shorter."""
        self.images = PAGE_MAX_IMAGES

    def observe(self, page: ImagePage, limit: int) -> None:
        """Update the size from a page for which `limit` images were requested."""
        count = len(page.images)
        is_cut = page.has_more and 0 < count < limit
        if is_cut or count > self.images:
            self.images = count
