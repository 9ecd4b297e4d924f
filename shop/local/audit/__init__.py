"""`make audit`: what Lighthouse and axe say of the shop's pages, and how heavy a first visit is."""
