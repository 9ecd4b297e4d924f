"""What Lambda hands a function beside its event, for functions that run on a laptop."""

import time
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True)
class LocalContext:
    """The parts of Lambda's context object that a function may ask for."""

    function_name: str
    timeout_seconds: float = 60.0
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _started_at: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        """A name of the right shape."""
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """How long the function may still take."""
        return max(0, round(1000 * (self._started_at + self.timeout_seconds - time.monotonic())))
