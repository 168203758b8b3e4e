"""Solo mining on Bitcoin nodes: a link to each, a submitter to each, one source over them."""
