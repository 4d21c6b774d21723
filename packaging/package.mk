# Packages. The Makefile includes this file; VERSION is its.

PACKAGE_ARCHES ?= amd64 arm64

.PHONY: package test-package

package: ## build deb and rpm packages for amd64 and arm64 into dist/
	@VERSION='$(VERSION)' packaging/build.sh $(PACKAGE_ARCHES)

test-package: ## test the packages for real (root, debootstrap, rpm, lintian, rpmlint, iproute2, tcpreplay)
	TRAILHOUND_TEST_PACKAGE=1 go test -count=1 -timeout 20m ./packaging
