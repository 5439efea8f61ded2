// Nothing of its own: it gives the precompiled header a target to belong to.
