from stagegate.evaluator.model import Decision, Policies, Request


def evaluate(request: Request, policies: Policies) -> Decision:
    """Decides one request. Raises PolicyError for a malformed policy."""
    raise NotImplementedError
