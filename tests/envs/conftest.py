import pytest

from registration.environments import ENVIRONMENTS


@pytest.fixture(params=ENVIRONMENTS)
def env_id(request):
    return request.param
