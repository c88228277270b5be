//! HEAD is GET without the body. In: a request. Out: the answer to the GET, of which the connection sends the head only.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;

/// Lets a HEAD find the route of the GET. That no body follows was settled when the request was read.
pub fn as_get(request: &mut ServiceRequest) {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
}
